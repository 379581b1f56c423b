"""Filters of the back-office's templates."""
