//! JSON-LD to RDF, and RDF canonicalised (RDFC-1.0).
