from django.contrib import admin

from .models import Record


@admin.register(Record)
class RecordAdmin(admin.ModelAdmin):
    list_display = ["title", "slug", "number", "price", "active", "created"]
    list_filter = ["active"]
    list_per_page = 100
    search_fields = ["title"]
