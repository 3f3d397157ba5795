package journey;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.mlflow.api.proto.ModelRegistry.ModelVersion;
import org.mlflow.api.proto.Service.CreateExperiment;
import org.mlflow.api.proto.Service.CreateRun;
import org.mlflow.api.proto.Service.Experiment;
import org.mlflow.api.proto.Service.ExperimentTag;
import org.mlflow.api.proto.Service.FileInfo;
import org.mlflow.api.proto.Service.Metric;
import org.mlflow.api.proto.Service.Param;
import org.mlflow.api.proto.Service.Run;
import org.mlflow.api.proto.Service.RunInfo;
import org.mlflow.api.proto.Service.RunStatus;
import org.mlflow.api.proto.Service.RunTag;
import org.mlflow.api.proto.Service.ViewType;
import org.mlflow.tracking.ActiveRun;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.MlflowContext;
import org.mlflow.tracking.MlflowHttpException;
import org.mlflow.tracking.ModelVersionsPage;
import org.mlflow.tracking.RunsPage;

/** What a Java program does with a tracking server, asserted at every step. Argument: the server's URL. */
public final class Journey {
  private static int checks;
  private final String server;
  private final MlflowClient client;

  private Journey(String server) {
    this.server = server;
    this.client = new MlflowClient(server);
  }

  private static void equal(Object got, Object wanted, String what) {
    checks++;
    if (!Objects.equals(got, wanted)) {
      throw new AssertionError(what + ": " + got + " instead of " + wanted);
    }
  }

  private interface Call {
    void run();
  }

  /** The call must fail with this status, and the body of the reply must have these words. */
  private static void refused(int status, String words, Call call) {
    try {
      call.run();
    } catch (MlflowHttpException e) {
      equal(e.getStatusCode(), status, "status");
      equal(e.getBodyMessage().contains(words), true, words + " in " + e.getBodyMessage());
      return;
    }
    throw new AssertionError("not refused: " + words);
  }

  private String experiments() {
    CreateExperiment request = CreateExperiment.newBuilder().setName("java größe")
        .addTags(ExperimentTag.newBuilder().setKey("team").setValue("blue")).build();
    String id = client.createExperiment(request);
    client.setExperimentTag(id, "stage", "first");
    Experiment experiment = client.getExperiment(id);
    equal(experiment.getName(), "java größe", "name");
    equal(experiment.getArtifactLocation(), "mlflow-artifacts:/" + id, "location");
    equal(experiment.getTagsCount(), 2, "tags");
    equal(client.getExperimentByName("java größe").map(Experiment::getExperimentId), Optional.of(id), "by name");
    equal(client.getExperimentByName("never made"), Optional.empty(), "by a name that is not there");
    client.renameExperiment(id, "java");
    equal(client.searchExperiments("name = 'java'").getItems().get(0).getExperimentId(), id, "found");
    String gone = client.createExperiment("java gone");
    client.deleteExperiment(gone);
    equal(client.getExperiment(gone).getLifecycleStage(), "deleted", "deleted");
    client.restoreExperiment(gone);
    equal(client.getExperiment(gone).getLifecycleStage(), "active", "restored");
    refused(400, "RESOURCE_ALREADY_EXISTS", () -> client.createExperiment("java"));
    refused(404, "No Experiment with id=987654321 exists", () -> client.getExperiment("987654321"));
    return id;
  }

  private static Metric metric(String key, double value, long timestamp, long step) {
    return Metric.newBuilder().setKey(key).setValue(value).setTimestamp(timestamp).setStep(step).build();
  }

  private String run(String experiment) {
    RunInfo info = client.createRun(CreateRun.newBuilder().setExperimentId(experiment).setStartTime(1000)
        .setRunName("first").build());
    String id = info.getRunId();
    equal(info.getRunUuid(), id, "run_uuid");
    equal(info.getStartTime(), 1000L, "start time");
    equal(info.getStatus(), RunStatus.RUNNING, "status");
    client.logParam(id, "depth", "3");
    client.logMetric(id, "loss", 0.5, 10, 0);
    client.logMetric(id, "loss", Double.NaN, 20, 1L << 60);
    List<Metric> metrics = new ArrayList<>();
    for (int step = 0; step < 300; step++) {
      metrics.add(metric("curve", step / 4.0, step, -step));
    }
    client.logBatch(id, metrics, List.of(Param.newBuilder().setKey("rate").setValue("0.1").build()),
        List.of(RunTag.newBuilder().setKey("a/b").setValue("").build()));
    client.setTag(id, "gone", "1");
    client.deleteTag(id, "gone");
    client.setTerminated(id, RunStatus.FINISHED, 2000);
    readBack(id);
    refused(400, "Changing param values is not allowed", () -> client.logParam(id, "depth", "4"));
    refused(404, "Run with id=" + "0".repeat(32) + " not found", () -> client.getRun("0".repeat(32)));
    return id;
  }

  private void readBack(String id) {
    Run run = client.getRun(id);
    equal(run.getInfo().getStatus(), RunStatus.FINISHED, "status at the end");
    equal(run.getInfo().getEndTime(), 2000L, "end time");
    Map<String, String> params = new TreeMap<>();
    run.getData().getParamsList().forEach(param -> params.put(param.getKey(), param.getValue()));
    equal(params, Map.of("depth", "3", "rate", "0.1"), "params");
    Map<String, String> tags = new TreeMap<>();
    run.getData().getTagsList().forEach(tag -> tags.put(tag.getKey(), tag.getValue()));
    equal(tags, Map.of("a/b", "", "mlflow.runName", "first"), "tags");
    Map<String, Double> latest = new TreeMap<>();
    run.getData().getMetricsList().forEach(metric -> latest.put(metric.getKey(), metric.getValue()));
    equal(latest, Map.of("loss", Double.NaN, "curve", 0.0), "latest metrics");
    List<Metric> history = client.getMetricHistory(id, "curve");
    equal(history.size(), 300, "points");
    equal(history.get(299), metric("curve", 299 / 4.0, 299, -299), "last point");
    equal(client.getMetricHistory(id, "loss").get(1).getStep(), 1L << 60, "a step beyond the doubles");
    equal(client.getMetricHistory(id, "none").size(), 0, "no such curve");
  }

  private void searches(String experiment, String first) {
    for (int index = 0; index < 4; index++) {
      RunInfo info = client.createRun(CreateRun.newBuilder().setExperimentId(experiment).setStartTime(2000 + index)
          .build());
      client.logMetric(info.getRunId(), "loss", index);
    }
    List<String> experiments = List.of(experiment);
    equal(client.searchRuns(experiments, "metrics.loss > 1").size(), 2, "greater");
    equal(client.searchRuns(experiments, "params.depth = '3' AND attributes.status = 'FINISHED'").get(0).getRunId(),
        first, "by param");
    RunsPage page = client.searchRuns(experiments, "", ViewType.ACTIVE_ONLY, 2, List.of("metrics.loss DESC"));
    List<Double> losses = new ArrayList<>();
    int pages = 1;
    for (; ; pages++) {
      page.getItems().forEach(run -> losses.add(run.getData().getMetricsList().stream()
          .filter(metric -> metric.getKey().equals("loss")).findFirst().orElseThrow().getValue()));
      if (!page.hasNextPage()) {
        break;
      }
      page = (RunsPage) page.getNextPage();
    }
    equal(losses, List.of(3.0, 2.0, 1.0, 0.0, Double.NaN), "ordered");
    equal(pages, 3, "pages");
    client.deleteRun(first);
    equal(client.searchRuns(experiments, "", ViewType.DELETED_ONLY).size(), 1, "deleted runs");
    client.restoreRun(first);
    equal(client.searchRuns(experiments, "").size(), 5, "all runs");
    refused(400, "Invalid", () -> client.searchRuns(experiments, "nonsense"));
  }

  private void context(String experiment) {
    MlflowContext context = new MlflowContext(client);
    context.setExperimentId(experiment);
    ActiveRun parent = context.startRun("parent");
    ActiveRun child = context.startRun("child", parent.getId());
    child.logMetrics(Map.of("a", 1.0, "b", 2.0), 7);
    child.logParams(Map.of("p", "q"));
    child.endRun(RunStatus.FAILED);
    parent.endRun();
    Run got = client.getRun(child.getId());
    equal(got.getInfo().getStatus(), RunStatus.FAILED, "child's status");
    equal(got.getData().getMetricsCount(), 2, "child's metrics");
    equal(got.getData().getTagsList().stream().filter(tag -> tag.getKey().equals("mlflow.parentRunId")).findFirst()
        .map(RunTag::getValue), Optional.of(parent.getId()), "child's parent");
  }

  /** The Java client hands uploads and downloads to the Python client that it finds in PATH. */
  private void artifacts(String run) throws IOException {
    Path file = Files.createTempDirectory("journey").resolve("note.txt");
    Files.write(file, "from Java".getBytes(StandardCharsets.UTF_8));
    client.logArtifact(run, file.toFile(), "below");
    equal(client.listArtifacts(run), List.of(FileInfo.newBuilder().setPath("below").setIsDir(true).build()), "top");
    equal(client.listArtifacts(run, "below"), List.of(FileInfo.newBuilder().setPath("below/note.txt").setIsDir(false)
        .setFileSize(9).build()), "below");
    File got = client.downloadArtifacts(run, "below/note.txt");
    equal(new String(Files.readAllBytes(got.toPath()), StandardCharsets.UTF_8), "from Java", "downloaded");
    Files.delete(file);
    Files.delete(file.getParent());
  }

  private void registry(String run) {
    client.sendPost("registered-models/create", "{\"name\": \"java-model\", \"description\": \"d\"}");
    String source = client.getRun(run).getInfo().getArtifactUri() + "/below";
    for (int number = 0; number < 2; number++) {
      client.sendPost("model-versions/create", String.format(
          "{\"name\": \"java-model\", \"source\": \"%s\", \"run_id\": \"%s\"}", source, run));
    }
    client.sendPost("model-versions/transition-stage",
        "{\"name\": \"java-model\", \"version\": \"1\", \"stage\": \"Production\"}");
    client.sendPatch("registered-models/update", "{\"name\": \"java-model\", \"description\": \"e\"}");
    equal(client.getRegisteredModel("java-model").getDescription(), "e", "description");
    ModelVersion version = client.getModelVersion("java-model", "1");
    equal(version.getRunId(), run, "run of a version");
    equal(version.getCurrentStage(), "Production", "stage");
    equal(client.getModelVersionDownloadUri("java-model", "1"), source, "source");
    equal(client.getLatestVersions("java-model", List.of("Production")).get(0).getVersion(), "1", "in production");
    equal(client.getLatestVersions("java-model").size(), 2, "latest of all stages");
    ModelVersionsPage page = client.searchModelVersions("name = 'java-model'", 1, List.of("version_number DESC"));
    equal(page.getItems().get(0).getVersion(), "2", "first page");
    equal(page.hasNextPage(), true, "a second page");
    refused(404, "not found", () -> client.getRegisteredModel("none"));
  }

  public static void main(String[] arguments) throws IOException {
    Journey journey = new Journey(arguments[0]);
    String experiment = journey.experiments();
    String run = journey.run(experiment);
    journey.searches(experiment, run);
    journey.context(experiment);
    journey.artifacts(run);
    journey.registry(run);
    journey.client.close();
    System.out.println(checks + " checks passed against " + journey.server);
  }
}
