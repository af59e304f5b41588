"""The providers: a folder each, and one table that names them."""
