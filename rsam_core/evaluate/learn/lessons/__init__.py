"""The lessons, one module each with what it computes; larger ones have modules beside it."""
