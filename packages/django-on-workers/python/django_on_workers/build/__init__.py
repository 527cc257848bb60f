"""The build's steps that need Python: compile, collect static files, make the image. Never part of a deployment."""
