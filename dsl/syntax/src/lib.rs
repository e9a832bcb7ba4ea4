//! The .fbp text: parser and formatter.
