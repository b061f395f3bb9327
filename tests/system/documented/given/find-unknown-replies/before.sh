accord serve
curl -s -X PUT http://127.0.0.1:8080/parts/orders/7
curl -s -X PATCH http://127.0.0.1:8080/parts/orders/7
