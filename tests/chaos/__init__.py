"""Kill tests: every stage that writes, killed at random moments, and then run again.

``make chaos`` runs all of it, ``python -m chaos --short`` the part that is in ``make test``. A stage that also needs
other machines (an object store, a Ray cluster) belongs into `chaos.stages.STAGES` like all others.
"""
