# Stands in for MongoDB's own image where no registry answers: the mongod of the tests, and of mongosh what compose.yaml asks of it.
FROM ticketing:server
USER 0:0
COPY mongod mongosh /usr/local/bin/
COPY lib /usr/local/lib
RUN ldconfig && install --directory --owner 10001 --group 10001 /data/db /data/configdb
USER 10001:10001
HEALTHCHECK NONE
ENTRYPOINT ["mongod"]
