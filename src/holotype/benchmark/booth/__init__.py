"""Where submissions are evaluated: a process of its own, with little memory and time, and no network."""
