cp -r config old
