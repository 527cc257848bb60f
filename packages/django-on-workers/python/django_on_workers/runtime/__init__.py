"""What runs inside the interpreter beneath a Django project. Nothing here is imported by projects."""
