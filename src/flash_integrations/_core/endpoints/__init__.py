"""A room an endpoint: builds its request, reads its answer."""
