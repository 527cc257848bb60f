"""The steps of a build that Python takes."""
