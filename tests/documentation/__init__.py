"""The pages: that what they say is so."""
