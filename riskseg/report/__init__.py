"""Pages of HTML: the model card, and the drawing kit that pages share."""
