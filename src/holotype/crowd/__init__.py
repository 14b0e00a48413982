"""The crowd: questions to people or machines, their answers, gold and reviews, and when to stop asking."""
