"""`python -m howdah`: the command line."""

from howdah.cli.main import main

if __name__ == "__main__":
    main()
