"""Amazon Mechanical Turk, through boto3: ``holotype[mturk]``."""
