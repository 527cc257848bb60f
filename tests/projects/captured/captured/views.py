"""Keeps a variable of the environment from the moment it is imported: what an image must not hold."""

import os

from django.http import JsonResponse

TOKEN = os.environ.get("API_TOKEN", "a default")


class Client:
    def __init__(self):
        self.headers = {"authorization": f"Bearer {TOKEN}"}


client = Client()


def index(request):
    return JsonResponse({"token": TOKEN, "headers": client.headers})
