"""Read DICOM: a file becomes the headers of its images and, when asked, their pixels."""
