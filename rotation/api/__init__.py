"""The REST API, declared with django-ninja: operations, schemas, and their OpenAPI page."""
