"""The demo: the whole loop on one command, on a bundled task or on a file of your own."""
