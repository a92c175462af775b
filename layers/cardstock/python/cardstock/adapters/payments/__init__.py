"""Payment channels behind the orders area's `PaymentChannel` port."""
