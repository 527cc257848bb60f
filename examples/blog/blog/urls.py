from django.urls import path

from . import api, export, feeds, views

app_name = "blog"

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("posts/<slug:slug>/", views.PostView.as_view(), name="post"),
    path("tags/<slug:slug>/", views.TagView.as_view(), name="tag"),
    path("authors/", views.AuthorListView.as_view(), name="authors"),
    path("authors/<str:username>/", views.AuthorView.as_view(), name="author"),
    path("archive/", views.ArchiveView.as_view(), name="archive"),
    path("archive/<int:year>/", views.ArchiveYearView.as_view(), name="archive-year"),
    path("archive/<int:year>/<int:month>/", views.ArchiveMonthView.as_view(), name="archive-month"),
    path("feed/", feeds.LatestPostsFeed(), name="feed"),
    path("feed/atom/", feeds.AtomPostsFeed(), name="feed-atom"),
    path("api/posts/", api.posts, name="api-posts"),
    path("api/posts/<slug:slug>/", api.post, name="api-post"),
    path("api/stats/", api.stats, name="api-stats"),
    path("export/posts.csv", export.posts_csv, name="export-csv"),
    path("robots.txt", views.robots, name="robots"),
    path("example-d1", views.example_d1, name="example-d1"),
]
