"""Tar files: headers, members, writing."""
