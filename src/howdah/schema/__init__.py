"""The structure of a live database: read it as stable text, compare two of them."""
