"""The demo: the 2009 paper in miniature, on real photographs."""
