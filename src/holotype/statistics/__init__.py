"""The statistics that the papers report of a database: scale, hierarchy, accuracy, sizes, objects, diversity; plots."""
