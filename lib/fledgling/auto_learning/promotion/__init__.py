"""When a challenger is promoted."""
