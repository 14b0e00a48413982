"""Reading truths and submissions from files of every format, strictly: what is measured is what the file says."""
