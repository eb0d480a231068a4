from races.admin import site as site
