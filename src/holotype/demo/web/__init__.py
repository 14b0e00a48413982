"""The demo's web: fifty hosts and two search engines on this machine, from which its photographs are collected."""
