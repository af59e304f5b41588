"""123-fax: an HTTP GET that sends a fax, and a GET that acknowledges it."""
