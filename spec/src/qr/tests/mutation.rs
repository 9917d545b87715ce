//! Changed bytes never stop the program, and what still expands says it in one way only.
