"""The crowd: tasks to people or machines, votes back, and when to stop asking."""
