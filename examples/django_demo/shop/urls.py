"""What the shop serves."""

from django.contrib import admin
from django.urls import path

from shop import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("ask/", views.ask),
    path("ask-async/", views.ask_async),
    path("stats/", views.stats),
]
