from django.contrib import admin
from django.urls import path
from records import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("note/", views.note),
    path("replay/<int:times>/", views.replay),
    path("reset/", views.reset),
    path("compute/", views.compute),
    path("measure/<str:what>/<int:count>/", views.measure),
]
