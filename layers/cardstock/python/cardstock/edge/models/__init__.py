"""What enters and leaves as JSON, one file per HTTP function."""
