"""Tar files: headers, members, where every member lies, and writing."""
