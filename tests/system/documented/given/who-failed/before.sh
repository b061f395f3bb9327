accord serve
