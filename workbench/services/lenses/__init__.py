"""One kind of thing over all of time: dealers, cars, and the life of a ring."""
