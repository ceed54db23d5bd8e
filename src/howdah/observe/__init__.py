"""What a statement does to a database, as the server shows it: locks, work, rows, objects gone or renamed."""
