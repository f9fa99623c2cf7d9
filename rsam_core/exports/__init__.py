"""One file format each; :mod:`rsam_core.export` brings them together."""
