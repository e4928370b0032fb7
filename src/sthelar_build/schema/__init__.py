"""What the artefacts look like: frames, classes, columns, element names. No behaviour beyond look-up."""
