"The panel in a real napari: `make test-napari`. It needs a screen with OpenGL, such as that of Xvfb."
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dinocell.data.simulate import simulate
from dinocell.demo import sample_images
from dinocell.infer.pipeline import DINOCellPipeline
from dinocell.infer.segmentation import load
from dinocell.model.file import save_model
from dinocell.model.network import DINOCell
from dinocell.utils.settings import AugmentConfig, TrainConfig
from dinocell.viewer.panel import FROM_FILE

PLUGIN, WAIT = 'dinocell-distance', 600_000 # ms, at most, that a job may take on a busy machine
FILM = np.stack([simulate('phase', seed=k, shape=(96, 128))[0] for k in range(3)])
TRUTH = np.stack([simulate('phase', seed=k, shape=(96, 128))[1] for k in range(3)])

@pytest.fixture(scope='session')
def model(tmp_path_factory):
    "A file of random weights, at thresholds at which they find something"
    net = DINOCell('vit_tiny', freeze_backbone=False, pretrained=False, seed=0)
    low, high = np.quantile(DINOCellPipeline(net).predict_distance(FILM[0]), (.5, .9))
    net.config = replace(net.config, cell_fill=float(low), cells_max=float(high), scale=1.)
    path = tmp_path_factory.mktemp('model')/'tiny.safetensors'
    save_model(net, path)
    return path

@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=True)

@pytest.fixture
def panel(viewer, model):
    "The panel, as napari finds and opens it, with the small model"
    _, box = viewer.window.add_plugin_dock_widget(PLUGIN, 'Segment cells')
    panel = box.panel
    panel.model.value, panel.file.value = FROM_FILE, model
    return panel

def finish(panel, qtbot):
    "Wait for the job that was begun"
    qtbot.waitUntil(lambda: panel.worker is None, timeout=WAIT)

def press(panel, qtbot, button):
    button.native.click()
    finish(panel, qtbot)

def paint(layer, place, value):
    "As the brush of napari does"
    layer.brush_size = 6
    layer.paint(place, value)

def test_segment(viewer, panel, model, qtbot):
    layer = viewer.add_image(FILM[0], name='a field', scale=(.5, .5), translate=(3, 4))
    assert panel.image.value is layer
    press(panel, qtbot, panel.segment)
    expected = load(model)(FILM[0])
    assert [v.name for v in viewer.layers] == ['a field', 'a field map', 'a field cells']
    np.testing.assert_array_equal(viewer.layers['a field cells'].data, expected.labels)
    np.testing.assert_array_equal(viewer.layers['a field map'].data, expected.dist_map)
    np.testing.assert_array_equal(viewer.layers['a field cells'].translate, (3, 4))
    assert panel.status.value.startswith(f'{len(expected)} cells at cells_max')
    assert abs(panel.cells_max.value - expected.pipeline.cells_max) < .01
    press(panel, qtbot, panel.segment)  # what was not corrected is replaced
    assert len(viewer.layers) == 3

def test_sliders(viewer, panel, model, qtbot):
    viewer.add_image(FILM[0], name='a')
    press(panel, qtbot, panel.segment)
    first = panel.draft().labels
    for value in (.9, .5, .2, .3):  # faster than they can be flooded: the last counts
        panel.cells_max.value = value
    finish(panel, qtbot)
    wanted = panel.wanted
    expected = load(model, cells_max=wanted['cells_max'], cell_fill=wanted['cell_fill'])(FILM[0])
    np.testing.assert_array_equal(first.data, expected.labels)
    assert panel.draft().labels is first and wanted['cells_max'] == panel.cells_max.value
    panel.cells_max.value = 0.  # takes the other along
    finish(panel, qtbot)
    assert panel.wanted == dict(cells_max=0., cell_fill=0.)

def test_corrections_are_kept(viewer, panel, qtbot):
    viewer.add_image(FILM[0], name='a')
    press(panel, qtbot, panel.segment)
    first = panel.draft()
    paint(first.labels, (40, 40), 999)
    painted = first.labels.data.copy()
    assert first.is_corrected()
    panel.cells_max.value = panel.cells_max.value - .02
    finish(panel, qtbot)
    np.testing.assert_array_equal(first.labels.data, painted)
    assert panel.draft().labels is not first.labels and first.labels in viewer.layers
    press(panel, qtbot, panel.segment)
    assert first.labels in viewer.layers

def test_film(viewer, panel, model, qtbot):
    viewer.add_image(FILM, name='film')
    viewer.dims.set_point(0, 2)
    press(panel, qtbot, panel.segment)
    cells = viewer.layers['film cells']
    for k in range(3): np.testing.assert_array_equal(cells.data[k], load(model)(FILM[k]).labels)
    assert panel.frame(cells) == 2
    panel.cells_max.value = round(panel.cells_max.value, 2) - .01
    finish(panel, qtbot)
    other = load(model, **panel.wanted)
    for k in range(3): np.testing.assert_array_equal(cells.data[k], other(FILM[k]).labels)
    press(panel, qtbot, panel.measure)
    assert len(panel.table.data.to_list()) == cells.data[2].max()

def test_colour(viewer, panel, model, qtbot):
    colour = np.moveaxis(FILM, 0, -1).astype(np.uint8)
    viewer.add_image(colour, rgb=True, name='colour')
    press(panel, qtbot, panel.segment)
    np.testing.assert_array_equal(panel.draft().labels.data, load(model)(colour).labels)

def test_table(viewer, panel, qtbot):
    viewer.add_image(FILM[0], name='a', scale=(2, 2))
    press(panel, qtbot, panel.segment)
    press(panel, qtbot, panel.measure)
    rows = panel.table.to_dataframe()
    assert len(rows) == panel.draft().labels.data.max() and rows.label.tolist() == [*range(1, len(rows) + 1)]
    panel.table.native.setCurrentCell(3, 0)
    assert panel.draft().labels.selected_label == 4
    np.testing.assert_allclose(viewer.camera.center[-2:], rows[['y_px', 'x_px']].iloc[3]*2)
    panel.cells_max.value = round(panel.cells_max.value, 2) - .01
    finish(panel, qtbot)
    assert not panel.table.data.to_list()  # of labels that are no longer there

def test_save(viewer, panel, qtbot, tmp_path):
    viewer.add_image(FILM[0], name='a [1]')
    press(panel, qtbot, panel.segment)
    panel.folder.value = tmp_path/'results'
    press(panel, qtbot, panel.save)
    assert sorted(p.name for p in (tmp_path/'results').iterdir()) == ['a_1.csv', 'a_1.tif']
    press(panel, qtbot, panel.save)
    assert 'exists already' in panel.status.value

def test_train(viewer, panel, qtbot, tmp_path, monkeypatch, model):
    small = replace(TrainConfig(), epochs=1, steps=2, batch=2, augment=replace(AugmentConfig(), size=64))
    monkeypatch.setattr('dinocell.train.learner.trial_config', lambda *_: small)
    viewer.add_image(FILM, name='film')
    press(panel, qtbot, panel.segment)
    panel.new_model.value = tmp_path/'mine.safetensors'
    press(panel, qtbot, panel.train)
    assert 'no layer was corrected' in panel.status.value
    panel.draft().labels.data = TRUTH.copy()
    press(panel, qtbot, panel.train)
    assert 'validation loss' in panel.status.value, panel.status.value
    assert panel.chosen_model() == str(tmp_path/'mine.safetensors')
    assert load(tmp_path/'mine.safetensors').model.config.start_weights == model.name
    press(panel, qtbot, panel.segment)
    assert panel.draft().seg.what.model == str(tmp_path/'mine.safetensors')

def test_cancel(viewer, panel, qtbot, tmp_path, monkeypatch):
    small = replace(TrainConfig(), epochs=50, steps=50, batch=2, augment=replace(AugmentConfig(), size=64))
    monkeypatch.setattr('dinocell.train.learner.trial_config', lambda *_: small)
    film = viewer.add_image(np.concatenate([FILM]*20), name='film')
    panel.segment.native.click()
    qtbot.waitUntil(lambda: panel.bar.value > 0, timeout=WAIT)
    assert not panel.segment.enabled and panel.cancel.enabled
    press(panel, qtbot, panel.cancel)
    assert [*viewer.layers] == [film] and 'cancelled' in panel.status.value and panel.segment.enabled
    viewer.layers.remove(film)
    viewer.add_image(FILM, name='short')
    press(panel, qtbot, panel.segment)
    panel.draft().labels.data = TRUTH.copy()
    panel.new_model.value = tmp_path/'mine.safetensors'
    panel.train.native.click()
    qtbot.waitUntil(lambda: 'epoch' in panel.status.value, timeout=WAIT)
    press(panel, qtbot, panel.cancel)
    assert 'cancelled' in panel.status.value and not [*tmp_path.iterdir()]

def test_closed(make_napari_viewer, model, qtbot):
    "A window that is closed, and a layer that is removed, while a job runs"
    viewer = make_napari_viewer(show=True)
    panel = viewer.window.add_plugin_dock_widget(PLUGIN, 'Segment cells')[1].panel
    panel.model.value, panel.file.value = FROM_FILE, model
    viewer.add_image(FILM[0], name='a')
    panel.segment.native.click()
    viewer.layers.remove('a')
    finish(panel, qtbot)
    assert 'was removed meanwhile' in panel.status.value and not viewer.layers
    viewer.add_image(np.concatenate([FILM]*20), name='film')
    panel.segment.native.click()
    qtbot.waitUntil(lambda: panel.bar.value > 0, timeout=WAIT)
    viewer.close()

def test_refused(viewer, panel, qtbot, tmp_path):
    press(panel, qtbot, panel.segment)
    assert 'no image is chosen' in panel.status.value
    for button in (panel.save, panel.measure):
        press(panel, qtbot, button)
        assert 'press Segment first' in panel.status.value
    panel.cells_max.value = .7
    assert 'press Segment first' in panel.status.value
    viewer.add_points(np.zeros((2, 2)), name='spots')
    assert not panel.image.choices  # only images can be chosen
    viewer.add_image(FILM[0]*0, name='black')
    press(panel, qtbot, panel.segment)
    assert 'every pixel is 0' in panel.status.value
    viewer.layers.remove('black')
    viewer.add_image(FILM[0], name='a')
    (tmp_path/'text.safetensors').write_text('no model')
    panel.file.value = tmp_path/'text.safetensors'
    press(panel, qtbot, panel.segment)
    assert 'text.safetensors' in panel.status.value and len(viewer.layers) == 2
    panel.file.value = tmp_path
    press(panel, qtbot, panel.segment)
    assert 'no model file is chosen' in panel.status.value

def test_samples(viewer):
    for row in sample_images():
        viewer.open_sample(PLUGIN, row['file'].stem)
    assert [v.name for v in viewer.layers] == [row['file'].stem.replace('_', ' ') for row in sample_images()]

@pytest.mark.skipif('PICTURE' not in os.environ, reason='PICTURE names no file to draw')
def test_picture(viewer, panel, qtbot):
    "The picture of the docs: the ready model on a sample"
    viewer.open_sample(PLUGIN, 'phase_contrast')
    panel.model.value = 'cells'
    press(panel, qtbot, panel.segment)
    press(panel, qtbot, panel.measure)
    panel.table.native.setCurrentCell(20, 0)
    viewer.window._qt_window.resize(1100, 780)
    qtbot.wait(1000)
    viewer.reset_view()
    qtbot.wait(1000)
    viewer.screenshot(os.environ['PICTURE'], canvas_only=False, flash=False)
