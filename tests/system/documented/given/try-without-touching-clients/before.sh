accord serve > accord.log
curl -s http://127.0.0.1:8080/parts/orders/9
