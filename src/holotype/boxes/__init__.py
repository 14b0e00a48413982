"""Boxes: drawn one at a time, judged, and covered (Su, Deng and Fei-Fei, HCOMP 2012)."""
