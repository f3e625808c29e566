from django.urls import path

from accounts.api import auth, keys, teams, users

urlpatterns = [
    path("auth/login", auth.LoginView.as_view(), name="login"),
    path("auth/register", auth.RegisterView.as_view(), name="register"),
    path("auth/refresh", auth.RefreshView.as_view(), name="refresh"),
    path("auth/logout", auth.LogoutView.as_view(), name="logout"),
    path("auth/logout-all", auth.LogoutAllView.as_view(), name="logout-all"),
    path("auth/password", auth.PasswordView.as_view(), name="password"),
    path("auth/me", auth.MeView.as_view(), name="me"),
    path("users", users.UsersView.as_view(), name="users"),
    path("users/<str:id>", users.UserView.as_view(), name="user"),
    path("users/<str:id>/invitation", users.InvitationView.as_view(), name="user-invitation"),
    path("teams", teams.TeamsView.as_view(), name="teams"),
    path("teams/<str:id>", teams.TeamView.as_view(), name="team"),
    path("api-keys", keys.ApiKeysView.as_view(), name="api-keys"),
    path("api-keys/<str:id>", keys.ApiKeyView.as_view(), name="api-key"),
]
