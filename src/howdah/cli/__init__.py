"""The command line. Only this package prints, prompts and exits."""
