SELECT -/* four; */-5
