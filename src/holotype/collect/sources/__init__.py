"""Sources: image collections and search engines, each as two pure functions around a request."""
