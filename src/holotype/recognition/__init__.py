"""Recognition: what the database is for. Models trained on releases, the 2009 applications, explanation, transfer."""
